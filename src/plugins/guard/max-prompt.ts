import { estimateInputTokens } from '../../protocol/estimate.js'
import type { Plugin } from '../../protocol/ports.js'
import { bad, checkGuard, Verdicts, type GuardOptions } from './guard.js'
import { inRequest } from './texts.js'

/** What {@link maxPrompt} takes: at least one bound. */
export interface MaxPromptOptions extends GuardOptions {
  /** UTF-16 units of all texts of a request together; pictures, files and sounds are not counted. */
  readonly characters?: number
  /** Estimated tokens: four characters each, and 1,000 for a picture, a file or a sound. */
  readonly tokens?: number
}

function checkBound(value: unknown, what: string): void {
  if (value !== undefined && (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)) throw bad(`maxPrompt(): ${what} must be a whole number above 0.`)
}

/**
 * Refuses requests that are longer than this, before anybody is asked. Throws `invalid_config`; refuses with `refused`.
 *
 * @example
 * import { maxPrompt } from 'sallyport/guard'
 *
 * const guard = maxPrompt({ characters: 200_000, tokens: 60_000 })
 */
export function maxPrompt(options: MaxPromptOptions): Plugin {
  checkGuard(options, 'maxPrompt', ['characters', 'tokens'])
  const { characters, tokens } = options
  checkBound(characters, 'characters')
  checkBound(tokens, 'tokens')
  if (characters === undefined && tokens === undefined) throw bad('maxPrompt() bounds nothing: give characters or tokens.')
  const verdicts = new Verdicts('maxPrompt', options)
  return {
    name: verdicts.name,
    open: call => ({
      request: request => {
        let reason: string | undefined
        try {
          reason = over(characters, 'characters', charactersOf(request)) ?? over(tokens, 'tokens', tokens === undefined ? 0 : estimateInputTokens(request))
        } catch (error) {
          verdicts.failed(call, 'request', error)
        }
        if (reason !== undefined) throw verdicts.refused(call, 'request', reason)
        return request
      },
    }),
  }
}

function over(most: number | undefined, what: string, count: number): string | undefined {
  return most !== undefined && count > most ? `it has ${count.toLocaleString('en')} ${what}, and ${most.toLocaleString('en')} are allowed. Shorten the conversation` : undefined
}

function charactersOf(request: Parameters<typeof inRequest>[0]): number {
  let count = 0
  inRequest(request, text => {
    count += text.length
    return undefined
  })
  return count
}
