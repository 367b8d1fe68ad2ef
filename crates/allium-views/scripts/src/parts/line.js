import { LineChart } from 'echarts/charts';
import { DataZoomInsideComponent } from 'echarts/components';
import { use } from 'echarts/core';

use([LineChart, DataZoomInsideComponent]);
