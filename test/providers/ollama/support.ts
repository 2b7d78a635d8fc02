import type { Target } from '../../../src/protocol/ports.js'
import { ollamaAdapter } from '../../../src/providers/ollama/adapter.js'
import { Bench } from '../support.js'

export const TARGET: Target = { provider: 'ollama', model: 'qwen3:8b', baseUrl: 'http://127.0.0.1:11434', capabilities: {} }
export const bench = (numCtx?: number) => new Bench(ollamaAdapter(numCtx), TARGET)

export const line = (message: object, more: object = {}) => ({ model: 'qwen3:8b', created_at: '2026-11-01T00:00:00Z', message: { role: 'assistant', content: '', ...message }, done: false, ...more })
export const COUNTS = { total_duration: 9, load_duration: 1, prompt_eval_count: 26, prompt_eval_duration: 2, eval_count: 12, eval_duration: 3 }
export const last = (done_reason: unknown = 'stop', more: object = COUNTS, message: object = {}) => line(message, { done: true, ...(done_reason !== undefined && { done_reason }), ...more })
