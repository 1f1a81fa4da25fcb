export { type EsloggerOptions, esloggerDefaults } from './options.js';
export { explainExit } from './process.js';
export { type EsloggerLine, readEsloggerLine } from './read-line.js';
export { EsloggerReader, type EsloggerReaderOptions } from './reader.js';
export { EsloggerSensor, type EsloggerSensorOptions } from './sensor.js';
