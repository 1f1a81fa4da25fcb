export { EarlyScan } from './early-scan.js';
export { type ProcessScanOptions, processScanDefaults } from './options.js';
export { type RunningProcessesOptions, runningProcesses } from './running.js';
export { ProcessScanSensor, type ProcessScanSensorOptions } from './sensor.js';
export type { ProcessRecord, ProcessSource, ProcessSourceSink } from './source.js';
