// All tests in one program, with one demo and one browser.

import './pages.test.js';
import './charts.test.js';
