import type { Agent } from 'node:http'
import { configFault } from './faults.js'

/** The agent a caller gave, or `invalid_config` for what is none. */
export function givenAgent(agent: unknown): Agent | undefined {
  if (agent === undefined) return undefined
  if (typeof agent === 'object' && agent !== null && 'addRequest' in agent && typeof agent.addRequest === 'function') return agent as unknown as Agent
  throw configFault('agent must be an http.Agent or https.Agent of Node.')
}
