import * as z from 'zod'
import { describe, expect, it } from 'vitest'
import { Gateway, type CallOptions, type ChatRequest } from '../../src/index.js'
import { scripted } from '../../src/testing/index.js'
import { KEY, thrown, witness } from './support.js'

const tool = { name: 'weather', inputSchema: { type: 'object', properties: {} } }
const call = { role: 'assistant', content: [{ type: 'tool-call', id: 'c1', name: 'weather', input: {} }] }
const answered = { role: 'tool', toolCallId: 'c1', content: '21' }
const said = (...messages: unknown[]) => ({ messages })

type Row = readonly [what: string, request: unknown, says: RegExp]

const NAMES: readonly Row[] = [
  ...(
    [
      ['max_tokens', 'maxOutputTokens'],
      ['max_completion_tokens', 'maxOutputTokens'],
      ['maxOutputToken', 'maxOutputTokens'],
      ['response_format', 'output'],
      ['stop_sequences', 'stop'],
      ['reasoning_effort', 'reasoning'],
      ['top_p', 'topP'],
      ['tool_choice', 'toolChoice'],
      ['prompt', 'messages'],
      ['__proto__', undefined],
      ['web_search_options', undefined],
    ] as const
  ).map(([key, better]): Row => [`the name ${key}`, JSON.parse(`{ ${JSON.stringify(key)}: { "a": 1 } }`), better === undefined ? /providerOptions/ : new RegExp(`"${key}"\\. Did you mean "${better}"`)]),
  ['several answers at once', { n: 2 }, /one answer.*take "n" out/],
  ['a chat that asks to stream', { stream: true }, /gateway\.stream\(\) streams/],
]

const MESSAGES: readonly Row[] = [
  ['an empty text', { messages: '' }, /"messages" is empty/],
  ['an empty list', { messages: [] }, /"messages" is empty/],
  ['no messages', { messages: undefined }, /"messages" is empty/],
  ['a single message', { messages: { role: 'user', content: 'Hi' } }, /list of \{ role, content \}/],
  ['a text in the list', said('Hi'), /messages\[0\] must be/],
  ['a role nobody has', said({ role: 'asistant', content: 'Hi' }), /Did you mean "assistant"/],
  ['a role of the prototype', said({ role: 'constructor', content: 'Hi' }), /is not one of system/],
  ['a number for content', said({ role: 'user', content: 5 }), /messages\[0\]\.content must be a text or a list/],
  ['a part without a type', said({ role: 'user', content: [{}] }), /messages\[0\]\.content\[0\] has the type/],
  ['a part of another library', said({ role: 'user', content: [{ type: 'image_url', image_url: KEY }] }), /"image_url"; this role takes text, image/],
  ['an image from the model', said({ role: 'assistant', content: [{ type: 'image', image: KEY }] }), /this role takes/],
  ['bytes that are nothing in particular', said({ role: 'user', content: [{ type: 'image', image: new Uint8Array(2) }] }), /say what they are/],
  ['a file without its type', said({ role: 'user', content: [{ type: 'file', data: 'aGk=' }] }), /needs its mediaType/],
  ['half a tool call', said({ role: 'assistant', content: [{ type: 'tool-call', name: 'weather' }] }), /needs id and name/],
  ['a tool result for nothing', said({ role: 'tool', content: '21' }), /needs the toolCallId/],
  ['a tool result without its call', said({ role: 'user', content: 'Hi' }, answered), /messages\[1\] answers the tool call "c1"/],
  ['a call without its result', said({ role: 'user', content: 'Hi' }, call), /no result: 1 missing/],
  ['a call passed over', said(call, { role: 'user', content: 'And now?' }), /messages\[1\] comes before the results/],
  ['a result given twice', said(call, answered, answered), /messages\[2\] answers the tool call/],
  ['a system prompt in parts', { system: [{ type: 'text', text: KEY }] }, /"system" must be a text/],
]

const VALUES: readonly Row[] = [
  ['no model', { model: undefined }, /"model" must be the name of a route/],
  ['a temperature that is none', { temperature: 3 }, /"temperature" must be a number from 0 to 2/],
  ['half a token', { maxOutputTokens: 10.5 }, /"maxOutputTokens" must be a whole number of at least 1/],
  ['a tool that is not there, naming the nearest', { tools: [{ name: 'weather', inputSchema: {} }], toolChoice: { name: 'wether' } }, /names the tool "wether".*Did you mean "weather"/],
  ['a share that is not a number', { topP: NaN }, /"topP" must be a number from 0 to 1/],
  ['a bound written as a text', { maxOutputTokens: '100' }, /"maxOutputTokens" must be a whole number of at least 1/],
  ['no output at all', { maxOutputTokens: 0 }, /"maxOutputTokens" must be/],
  ['a stop that is no text', { stop: 5 }, /"stop" must be a text or a list/],
  ['an empty stop in a list', { stop: ['a', ''] }, /"stop" must be a text or a list/],
  ['more logprobs than anybody gives', { logprobs: 50 }, /"logprobs" must be/],
  ['reasoning as a word', { reasoning: 'high' }, /"reasoning" must be \{ effort/],
  ['reasoning of an unknown kind', { reasoning: { efort: 'high' } }, /has no option "efort". Did you mean "effort"/],
  ['an effort nobody knows', { reasoning: { effort: 'extreme' } }, /"reasoning\.effort" must be one of none/],
  ['a budget below nothing', { reasoning: { budgetTokens: -1 } }, /"reasoning\.budgetTokens" must be a whole number/],
  ['a choice nobody knows', { toolChoice: 'any' }, /"toolChoice" must be 'auto'/],
  ['a choice in the form of another library', { toolChoice: { type: 'function', function: { name: 'weather' } } }, /"toolChoice" must be/],
  ['options of no dialect', { providerOptions: { temperature: 1 } }, /"providerOptions" must be \{ \[dialect\]/],
  ['parallel calls as a text', { parallelToolCalls: 'no' }, /"parallelToolCalls" must be a boolean/],
  ['tools that are no list', { tools: tool }, /"tools" must be a list/],
  ['a tool without a name', { tools: [{ inputSchema: {} }] }, /tools\[0\] needs a name/],
  ['a tool without a schema', { tools: [{ name: 'weather' }] }, /tools\[0\] needs an inputSchema/],
  ['a tool in the form of another library', { tools: [{ name: 'weather', parameters: {} }] }, /has no option "parameters". Did you mean "inputSchema"/],
  ['a tool with an option nobody knows', { tools: [{ ...tool, descripton: 'x' }] }, /Did you mean "description"/],
  ['the same tool twice', { tools: [tool, tool] }, /tools\[1\]: the name "weather" is taken/],
  ['a tool whose schema is a text', { tools: [{ name: 'weather', inputSchema: KEY }] }, /tools\[0\]\.inputSchema must be a Standard Schema/],
  ['an output that is a text', { output: KEY }, /"output" must be a Standard Schema/],
  ['an output that no JSON Schema can say', { output: z.object({ at: z.date() }) }, /no JSON Schema can say.*Give \{ schema, jsonSchema \}/],
  ['an output of a library without JSON Schema', { output: { '~standard': { version: 1, vendor: 'mine', validate: (value: unknown) => ({ value }) } } }, /this mine schema cannot give its JSON Schema/],
]

const OPTIONS: readonly Row[] = [
  ['an option nobody knows', { sginal: 1 }, /options of a call has no option "sginal". Did you mean "signal"/],
  ['no options but null', null, /options of a call must be an object/],
  ['a signal that is none', { signal: { aborted: false } }, /"signal" must be an AbortSignal/],
  ['a way to recover nobody knows', { recover: 'resume' }, /"recover" must be/],
  ['metadata that is a text', { metadata: KEY }, /"metadata" must be an object/],
  ['an unknown deadline', { deadlines: { total: 1 } }, /"deadlines" has no option "total". Did you mean "totalMs"/],
  ['a deadline that is a text', { deadlines: { totalMs: '1s' } }, /"deadlines\.totalMs" must be a number of milliseconds/],
  ['no tries', { retry: { attempts: 0 } }, /"retry\.attempts" must be a whole number of at least 1/],
  ['retry as a number', { retry: 3 }, /"retry" must be an object/],
  ['a header with a line break', { headers: { 'x-team': `a\nauthorization: ${KEY}` } }, /"headers"\["x-team"\] must be one line/],
  ['a key smuggled in as a header', { headers: { 'X-Api-Key': KEY } }, /Give keys as apiKey/],
]

function scene() {
  const deployment = scripted('Hello')
  const plugin = witness()
  return { deployment, plugin, gateway: new Gateway({ routes: { smart: deployment, 'smart-long': deployment }, plugins: [plugin] }) }
}

describe.each(['chat', 'stream'] as const)('a mistake in a %s is refused before anybody is asked', kind => {
  async function refused(request: unknown, options: unknown, says: RegExp, code = 'invalid_request') {
    const { deployment, gateway, plugin } = scene()
    const error = await thrown(() => gateway[kind](request as ChatRequest<'smart'>, options as CallOptions))
    expect(error).toMatchObject({ code, origin: 'caller' })
    expect(error.message).toMatch(says)
    expect([deployment.calls.length, gateway.health().calls]).toEqual([0, 0])
    expect(plugin.records).toMatchObject([{ kind, outcome: 'failure', code, attempts: [] }])
  }

  it.each([...NAMES, ...MESSAGES, ...VALUES])('%s', (_what, request, says) => refused({ model: 'smart', messages: `Hi ${KEY}`, ...(request as object) }, {}, says))
  it.each(OPTIONS)('%s', (_what, options, says) => refused({ model: 'smart', messages: 'Hi' }, options, says))
  it.each([undefined, null, 'Hi', ['Hi']])('%j for a request', request => refused(request, {}, /request must be an object/))

  it('a model that nobody serves, naming the nearest', () => refused({ model: 'smrat', messages: 'Hi' }, {}, /serves the model "smrat". Did you mean "smart"/, 'model_not_found'))
  it('a model that is near nothing, listing what there is', () => refused({ model: 'zzzzzzzz', messages: 'Hi' }, {}, /Known: smart, smart-long/, 'model_not_found'))
  it('a model with a name as long as a book', () => refused({ model: 'm'.repeat(1e6), messages: 'Hi' }, {}, /^.{0,300}$/, 'model_not_found'))
})
