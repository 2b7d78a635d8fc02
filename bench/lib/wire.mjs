const WORDS = [' the', ' sky', ' is', ' blue', ' because', ' short', ' waves', ' scatter', ' more', ' than', ' long', ' ones']

export const MODEL = 'm'
export const MESSAGES = [
  { role: 'system', content: 'You answer in plain words and keep to the question that was asked.' },
  { role: 'user', content: 'Why is the sky blue, and why does it turn red in the evening? Answer for a child of ten.' },
]

export function wordAt(i) {
  return WORDS[i % WORDS.length]
}

/** The text of an answer of `count` words, which every client has to give back whole. */
export function textOf(count) {
  let text = ''
  for (let i = 0; i < count; i++) text += wordAt(i)
  return text
}

/** Words in the JSON answer: about 1 KB with what is around them. */
export const JSON_WORDS = 90
/** Usage that goes with an answer of `count` words. */
export function usageOf(count) {
  const details = { prompt_tokens_details: { cached_tokens: 0 }, completion_tokens_details: { reasoning_tokens: 0 } }
  return { prompt_tokens: 42, completion_tokens: count, total_tokens: 42 + count, ...details }
}

export function jsonAnswer() {
  const message = { role: 'assistant', content: textOf(JSON_WORDS), refusal: null, annotations: [] }
  return JSON.stringify({
    id: 'chatcmpl-Bench0123456789abcdefghijk',
    object: 'chat.completion',
    created: 1760000000,
    model: MODEL,
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
    usage: usageOf(JSON_WORDS),
    service_tier: 'default',
    system_fingerprint: 'fp_bench000000',
  })
}

/** One server-sent event of the OpenAI wire, as bytes. */
export function event(choice, usage) {
  const body = {
    id: 'chatcmpl-Bench0123456789abcdefghijk',
    object: 'chat.completion.chunk',
    created: 1760000000,
    model: MODEL,
    service_tier: 'default',
    system_fingerprint: 'fp_bench000000',
    choices: choice === undefined ? [] : [{ index: 0, logprobs: null, finish_reason: null, ...choice }],
    ...(usage !== undefined && { usage }),
  }
  return Buffer.from(`data: ${JSON.stringify(body)}\n\n`)
}
