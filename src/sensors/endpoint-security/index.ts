export { codeSignature } from './code-signature.js';
export { type EsKind, type EsMessage, esKinds, fileKinds, processKinds } from './message.js';
export { Normaliser, type ReadFile } from './normalise.js';
export { type EndpointSecurityOptions, endpointSecurityDefaults } from './options.js';
export { fileReader } from './read-file.js';
export { EndpointSecuritySensor, type EndpointSecuritySensorOptions } from './sensor.js';
