import type { UpstreamRequest } from '../../protocol/request.js'
import type { Notes } from '../common/notes.js'
import type { Block } from '../common/own.js'
import type { Traits } from './models.js'

function temperatureOf(temperature: number, why: string | undefined, notes: Notes): Block {
  // 1 is what the models do anyway, and the one value none of them refuses.
  if (temperature === 1 || (why === undefined && temperature < 1)) return { temperature }
  if (why !== undefined) {
    left('temperature', why, notes)
    return {}
  }
  notes.add('changed', 'The model takes a temperature of at most 1; 1 was sent.', 'temperature')
  return { temperature: 1 }
}

function left(parameter: string, why: string, notes: Notes): void {
  notes.add('unsupported', `\`${parameter}\` was left out: ${why}.`, parameter)
}

/** The sampling parameters the model takes, with a warning for each that it would refuse. */
export function samplingOf({ temperature, topP, topK }: UpstreamRequest, traits: Traits, thinking: boolean, notes: Notes): Block {
  const refused = traits.sampling === 'none' ? 'the model takes no sampling parameters' : undefined
  const why = refused ?? (thinking ? 'it cannot be set while the model reasons' : undefined)
  const out = temperature === undefined ? {} : temperatureOf(temperature, why, notes)
  if (topP !== undefined) {
    const both = traits.sampling === 'one' && out['temperature'] !== undefined ? 'the model takes temperature or topP, not both' : undefined
    // While it reasons, the model takes the top end of the range.
    const against = (topP >= 0.95 ? refused : why) ?? both
    if (against === undefined) out['top_p'] = topP
    else left('topP', against, notes)
  }
  if (topK !== undefined && why === undefined) out['top_k'] = topK
  else if (topK !== undefined && why !== undefined) left('topK', why, notes)
  return out
}
