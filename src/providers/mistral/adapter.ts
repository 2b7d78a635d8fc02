import type { Adapter } from '../../protocol/ports.js'
import { openaiAdapter } from '../openai/adapter.js'
import { QUIRKS } from '../openai/quirk-rows.js'
import type { Quirks } from '../openai/quirks.js'

/** Always reasons: nothing but the prompt it is given can be chosen. */
const NATIVE = /^magistral/
/** Of 2025 and before, or of a family that does not reason. */
const SILENT = /^(?:open-|codestral|ministral|pixtral|voxtral)|-2[2-5]\d\d$/
/** Of 2024 and before: a user message right behind tool results is refused. */
const STRICT = /^open-|-2[2-4]\d\d$/

/** What a model's name tells of how it differs from the next. */
function quirksOf(model: string): Quirks {
  const name = model.toLowerCase()
  const reasoning = NATIVE.test(name) ? 'prompt_mode' : SILENT.test(name) ? 'none' : 'effort'
  return { ...QUIRKS.mistral, reasoning, bridge: STRICT.test(name) }
}

/** The chat-completions dialect as Mistral speaks it. */
export function mistralAdapter(model: string, safePrompt?: boolean): Adapter {
  return openaiAdapter({ ...quirksOf(model), ...(safePrompt !== undefined && { extra: { safe_prompt: safePrompt } }) })
}
