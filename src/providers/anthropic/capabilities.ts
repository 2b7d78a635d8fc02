import type { Capabilities } from '../../protocol/ports.js'
import { traitsOf } from './models.js'

/** What a model can do, only where its name tells: another server may serve anything under its own names. */
export function capabilitiesOf(model: string): Capabilities {
  const { version, thinking, jsonSchema } = traitsOf(model)
  if (version === undefined || version < 300) return {}
  return {
    tools: true,
    images: true,
    audio: false,
    ...(version >= 305 && { files: true }),
    ...(jsonSchema && { jsonSchema }),
    ...(thinking !== 'none' && { reasoning: true }),
    ...(version <= 405 && { prefill: true }),
  }
}
