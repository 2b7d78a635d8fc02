import type { UpstreamRequest } from './request.js'

/** English prose has about four characters to a token; good enough where nothing was reported. */
const CHARS_PER_TOKEN = 4
/** What providers commonly count for one image, file page or audio clip. */
const MEDIA_TOKENS = 1_000

/** Tokens of a text of this length. */
export function estimateTokens(characters: number): number {
  return Math.ceil(characters / CHARS_PER_TOKEN)
}

/** Roughly how many tokens a request holds. An estimate: for choosing and for bills of answers that were cut, never for a bound. */
export function estimateInputTokens({ messages, tools }: UpstreamRequest): number {
  let characters = 0
  let media = 0
  for (const { content } of messages) {
    if (typeof content === 'string') {
      characters += content.length
      continue
    }
    for (const part of content) {
      if ('text' in part) characters += part.text.length
      else if (part.type === 'tool-call') characters += part.name.length + (part.arguments ?? JSON.stringify(part.input) ?? '').length
      else media++
    }
  }
  for (const tool of tools ?? []) characters += JSON.stringify('inputSchema' in tool ? tool.inputSchema : tool).length
  return estimateTokens(characters) + media * MEDIA_TOKENS
}
