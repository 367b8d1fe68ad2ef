import { LineChart } from 'echarts/charts';
import { DataZoomComponent, LegendComponent, MarkAreaComponent } from 'echarts/components';
import { use } from 'echarts/core';

use([LineChart, DataZoomComponent, LegendComponent, MarkAreaComponent]);
