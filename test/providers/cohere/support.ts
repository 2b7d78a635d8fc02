import type { Target } from '../../../src/protocol/ports.js'
import { cohereAdapter } from '../../../src/providers/cohere/adapter.js'
import { Bench } from '../support.js'

export const TARGET: Target = { provider: 'cohere', model: 'command-a-03-2025', baseUrl: 'https://api.cohere.com/v2', capabilities: {} }
export const bench = new Bench(cohereAdapter, TARGET)

/** One event of a stream. */
export const delta = (type: string, message: unknown, index = 0) => ({ type, index, delta: { message } })
