/** Last module of the test page: all tests are loaded, so run them and report each to the process that opened the page. */
import { reportTo } from '../support/report.mjs';

reportTo(globalThis.wavecubeReport, globalThis.mocha.run());
