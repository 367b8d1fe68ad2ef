import { LineChart } from 'echarts/charts';
import { DataZoomInsideComponent, MarkAreaComponent } from 'echarts/components';
import { use } from 'echarts/core';

use([LineChart, DataZoomInsideComponent, MarkAreaComponent]);
