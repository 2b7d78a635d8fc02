import type { Warning } from '../../protocol/events.js'
import { isObject, type Json, type JsonObject } from '../../protocol/json.js'
import type { HttpCall, Target, Wire } from '../../protocol/ports.js'
import type { ResolvedTool, UpstreamRequest } from '../../protocol/request.js'
import { Notes } from '../common/notes.js'
import { verbatim, type Block } from '../common/own.js'
import { noteUnsupported, stopsOf } from '../common/params.js'
import { loopLacks } from '../common/turns.js'
import { urlOf } from '../common/url.js'
import { cached, DIALECT } from './content.js'
import { conversationOf, type Conversation } from './messages.js'
import { traitsOf, type Traits } from './models.js'
import { namesOf, type Names } from './names.js'
import { samplingOf } from './sampling.js'
import { closedSchema } from './schema.js'
import { thinkingOf, type Thinking } from './thinking.js'

const VERSION = '2023-06-01'
const MAX_CACHE_MARKS = 4

function toolBlock(tool: ResolvedTool, names: Names, traits: Traits, notes: Notes): Block {
  const block: Block = { name: names.wire(tool.name), ...(tool.description !== undefined && { description: tool.description }), input_schema: { type: 'object', ...tool.inputSchema } }
  if (tool.strict === true && traits.jsonSchema) block['strict'] = true
  else if (tool.strict === true) notes.add('unsupported', 'The model cannot be held to a tool schema; `strict` was left out.', 'tools')
  return cached(block, tool.cacheControl)
}

function toolsOf(request: UpstreamRequest, names: Names, traits: Traits, notes: Notes): Block[] {
  const tools = (request.tools ?? []).flatMap(tool => {
    if ('name' in tool) return [toolBlock(tool, names, traits, notes)]
    const block = verbatim(tool.providerData, DIALECT)
    if (block === undefined) notes.add('unsupported', 'A provider tool of another dialect was left out.', 'tools')
    return block === undefined ? [] : [block]
  })
  if (names.output !== undefined && request.output !== undefined) {
    notes.add('changed', `The model takes no JSON schema for its answer; it is asked for through a tool named "${names.output}".`, 'output')
    tools.push({ name: names.output, description: 'Gives the final answer to the user. Call it once, with the whole answer.', input_schema: { type: 'object', ...request.output.jsonSchema } })
  }
  return tools
}

function wantedChoice({ toolChoice, tools }: UpstreamRequest, names: Names): Block | undefined {
  // With tools of the caller's in play, the answer tool is one of several that may be called.
  if (names.output !== undefined && typeof toolChoice !== 'object') return (tools ?? []).length > 0 && toolChoice !== 'none' ? { type: 'any' } : { type: 'tool', name: names.output }
  if (typeof toolChoice === 'object') return { type: 'tool', name: names.wire(toolChoice.name) }
  if (toolChoice === undefined) return undefined
  return { type: toolChoice === 'required' ? 'any' : toolChoice }
}

function choiceOf(request: UpstreamRequest, names: Names, traits: Traits, hasTools: boolean, notes: Notes): Block | undefined {
  if (!hasTools) {
    if (request.toolChoice !== undefined && request.toolChoice !== 'none' && request.toolChoice !== 'auto') notes.add('unsupported', '`toolChoice` was left out, because there are no tools.', 'toolChoice')
    return undefined
  }
  let choice = wantedChoice(request, names)
  if (forces(choice) && !traits.forcedTool) {
    notes.add('changed', 'The model cannot be made to call a tool; the choice is left to it.', 'toolChoice')
    choice = { type: 'auto' }
  }
  if (request.parallelToolCalls === false && choice?.['type'] !== 'none') choice = { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true }
  return choice
}

function forces(choice: Block | undefined): boolean {
  return choice?.['type'] === 'any' || choice?.['type'] === 'tool'
}

// A tool loop begun without signed thinking cannot go on with a thinking budget.
function loopLacksThinking({ messages }: Conversation): boolean {
  return loopLacks(messages, ({ type }) => type === 'tool_result', ({ type }) => type === 'thinking' || type === 'redacted_thinking')
}

/** Keeps the last four cache marks, for they cover the longest prefixes. */
function limitMarks(lists: readonly Block[][], spare: number, notes: Notes): void {
  const marks: (() => void)[] = []
  const visit = (list: Block[]) => {
    for (const [at, block] of list.entries()) {
      if (block['type'] === 'tool_result' && Array.isArray(block['content'])) {
        const inner = [...block['content']] as Block[]
        list[at] = { ...block, content: inner }
        visit(inner)
      }
      if (block['cache_control'] === undefined || block['cache_control'] === null) continue
      marks.push(() => {
        const { cache_control: _, ...rest } = list[at] ?? block
        list[at] = rest
      })
    }
  }
  for (const list of lists) visit(list)
  const extra = marks.slice(0, Math.max(0, marks.length - spare))
  for (const unmark of extra) unmark()
  if (extra.length > 0) notes.add('dropped', `At most ${MAX_CACHE_MARKS} cache marks can be sent; the earliest ${extra.length} were left out.`, 'cacheControl')
}

function systemOf(blocks: readonly Block[]): Json | undefined {
  const only = blocks.length === 1 ? blocks[0] : undefined
  if (only !== undefined && only['type'] === 'text' && Object.keys(only).length === 2) return only['text']
  return blocks.length > 0 ? blocks : undefined
}

function thinkingFor(request: UpstreamRequest, target: Target, traits: Traits, conversation: Conversation, forced: boolean, notes: Notes): Thinking {
  const { maxOutputTokens: ceiling, reasoning: able } = target.capabilities
  const why = forced ? 'it cannot go together with a tool the model must call' : request.prefill === true ? 'it cannot go together with the start of an answer' : undefined
  return thinkingOf(
    {
      reasoning: request.reasoning,
      traits: able === false ? { ...traits, thinking: 'none' } : traits,
      asked: request.maxOutputTokens,
      fallback: ceiling ?? traits.maxTokens,
      ceiling,
      obstacle: why,
      budgetObstacle: loopLacksThinking(conversation) ? 'the tool loop was begun without reasoning of this model' : undefined,
    },
    notes,
  )
}

function bodyOf(request: UpstreamRequest, target: Target, notes: Notes): Block {
  const traits = traitsOf(target.model)
  const names = namesOf(request, target)
  const conversation = conversationOf(request, target, names, notes)
  const tools = toolsOf(request, names, traits, notes)
  const choice = choiceOf(request, names, traits, tools.length > 0, notes)
  const thinking = thinkingFor(request, target, traits, conversation, forces(choice), notes)
  const messages = conversation.messages.map(({ role, content }) => ({ role, content: [...content] }))
  const system = [...conversation.system]
  const options: JsonObject = { ...request.providerOptions?.['anthropic'], ...request.providerOptions?.[target.provider] }
  limitMarks([tools, system, ...messages.map(message => message.content)], isObject(options['cache_control']) ? MAX_CACHE_MARKS - 1 : MAX_CACHE_MARKS, notes)
  const stops = stopsOf(request, notes)
  const systemField = systemOf(system)
  const format = request.output !== undefined && names.output === undefined ? { type: 'json_schema', schema: closedSchema(request.output.jsonSchema) } : undefined
  const outputConfig: Block = { ...(thinking.effort !== undefined && { effort: thinking.effort }), ...(format !== undefined && { format }) }
  noteUnsupported(request, ['seed', 'frequencyPenalty', 'presencePenalty', 'logprobs'], notes)
  return {
    model: target.model,
    max_tokens: thinking.maxTokens,
    ...(systemField !== undefined && { system: systemField }),
    messages: messages as Json,
    ...(tools.length > 0 && { tools }),
    ...(choice !== undefined && { tool_choice: choice }),
    ...(thinking.thinking !== undefined && { thinking: thinking.thinking }),
    ...(Object.keys(outputConfig).length > 0 && { output_config: outputConfig }),
    ...samplingOf(request, traits, thinking.on, notes),
    ...(stops.length > 0 && { stop_sequences: stops }),
    ...options,
  }
}

/** The body of one request. The wire alone decides about `stream`, whatever `providerOptions` hold. */
export function messagesBody(request: UpstreamRequest, target: Target, wire: Wire, notes: Notes): Block {
  const { stream: _, ...body } = bodyOf(request, target, notes)
  return wire === 'stream' ? { ...body, stream: true } : body
}

/** Writes one request. */
export function encode(request: UpstreamRequest, target: Target, wire: Wire): { readonly call: HttpCall; readonly warnings: Warning[] } {
  const notes = new Notes()
  const body = messagesBody(request, target, wire, notes)
  return {
    call: {
      method: 'POST',
      url: urlOf(target, '/messages'),
      headers: { 'content-type': 'application/json', accept: wire === 'stream' ? 'text/event-stream' : 'application/json', 'anthropic-version': VERSION, ...target.headers },
      body: JSON.stringify(body),
    },
    warnings: notes.list,
  }
}

/** The list of models: nobody bills it. */
export function probe({ baseUrl, headers }: Target): HttpCall {
  return { method: 'GET', url: `${baseUrl}/models?limit=1`, headers: { accept: 'application/json', 'anthropic-version': VERSION, ...headers } }
}
