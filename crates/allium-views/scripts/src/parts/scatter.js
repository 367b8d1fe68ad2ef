import { LineChart, ScatterChart } from 'echarts/charts';
import { use } from 'echarts/core';

use([LineChart, ScatterChart]);
