import { SankeyChart } from 'echarts/charts';
import { TitleComponent } from 'echarts/components';
import { use } from 'echarts/core';

use([SankeyChart, TitleComponent]);
