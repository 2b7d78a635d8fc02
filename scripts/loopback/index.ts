export type { Fault } from './faults.js'
export { startProvider, type LoopbackProvider, type LoopbackRequest, type PlanRequest, type ProviderOptions } from './server.js'
