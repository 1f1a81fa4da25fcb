export { Lister } from './places.js';
export { InventoryScan, type ScannedItem, type ScanOptions } from './scan.js';
