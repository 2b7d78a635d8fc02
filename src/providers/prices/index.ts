export { FIGURES } from './data.js'
export { PriceTable, type TablePrice } from './lookup.js'
