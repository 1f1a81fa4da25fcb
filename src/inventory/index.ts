export { InventoryScan, type ScannedItem, type ScanOptions } from './scan.js';
