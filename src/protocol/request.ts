import type { EmbedWish } from './embed.js'
import type { Json, JsonObject } from './json.js'

/** What is asked of the gateway. */
export type CallKind = 'chat' | 'stream' | 'embed'

/** Data only one dialect understands (signatures, encrypted reasoning, vendor ids), keyed by that dialect. */
export type ProviderData = { readonly [dialect: string]: Json }
/** Marks the end of a prefix the provider should cache; `ttl` defaults to the provider's own. */
export interface CacheControl {
  readonly ttl?: '5m' | '1h'
}
/** Which deployment and model wrote a message: what keeps a tool loop where it is. */
export interface Origins {
  readonly provider: string
  readonly model: string
  readonly deployment: string
}

interface PartBase {
  readonly cacheControl?: CacheControl
  /** `{ [dialect]: { block } }` is sent to that dialect as it stands, in place of this part. */
  readonly providerData?: ProviderData
}
/** Where a piece of text comes from. */
export interface Citation {
  readonly url?: string
  readonly title?: string
  readonly text?: string
  readonly data?: Json
}
export interface TextPart extends PartBase {
  readonly type: 'text'
  readonly text: string
  readonly citations?: readonly Citation[]
}
export interface ImagePart extends PartBase {
  readonly type: 'image'
  /** An `https:` or `data:` URL, or the bytes (then `mediaType` is needed). */
  readonly image: string | URL | Uint8Array
  readonly mediaType?: string
  readonly detail?: 'auto' | 'low' | 'high'
}
export interface FilePart extends PartBase {
  readonly type: 'file'
  /** An `https:` or `data:` URL, base64 text, or the bytes. */
  readonly data: string | URL | Uint8Array
  readonly mediaType: string
  readonly filename?: string
}
export interface AudioPart extends PartBase {
  readonly type: 'audio'
  /** Base64 text, or the bytes. */
  readonly data: string | Uint8Array
  readonly format: 'wav' | 'mp3'
}
export interface ReasoningPart extends PartBase {
  readonly type: 'reasoning'
  readonly text: string
}
export interface RefusalPart extends PartBase {
  readonly type: 'refusal'
  readonly text: string
}
/** A call the model wants made: the parsed input, and the JSON text as the model wrote it. */
export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly input: unknown
  readonly arguments: string
}
export interface ToolCallPart extends PartBase {
  readonly type: 'tool-call'
  readonly id: string
  readonly name: string
  readonly input: unknown
  readonly arguments?: string
}

export interface SystemMessage {
  readonly role: 'system' | 'developer'
  readonly content: string | readonly TextPart[]
}
export interface UserMessage {
  readonly role: 'user'
  readonly content: string | readonly (TextPart | ImagePart | FilePart | AudioPart)[]
  readonly name?: string
}
export interface AssistantMessage {
  readonly role: 'assistant'
  readonly content: string | readonly (TextPart | ReasoningPart | ToolCallPart | RefusalPart | FilePart)[]
  readonly origin?: Origins
}
export interface ToolMessage {
  readonly role: 'tool'
  readonly toolCallId: string
  readonly content: string | readonly (TextPart | ImagePart | FilePart)[]
  readonly isError?: boolean
  readonly cacheControl?: CacheControl
}
/** One turn of a conversation. */
export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage
/** Any content part of any message. */
export type Part = Exclude<Message['content'], string>[number]

/** The contract of https://standardschema.dev: zod, valibot, arktype and others implement it. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
    readonly jsonSchema?: { readonly input: (options: { readonly target: string }) => Record<string, unknown> }
  }
}
/** What a Standard Schema's `validate` returns. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<{ readonly message: string; readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined }> }
/** A Standard Schema that can give its JSON Schema, the two side by side, or a JSON Schema alone (which says nothing of the type of `output`). */
export type Schema<Output = unknown> =
  | StandardSchema<Output>
  | { readonly schema: StandardSchema<Output>; readonly jsonSchema: JsonObject }
  | JsonObject

/** What `execute` of a tool is told beside its input. */
export interface ToolContext {
  readonly toolCallId: string
  /** The conversation up to the message that asks for the tool. */
  readonly messages: readonly Message[]
  /** Aborted when the run ends early, or the tool took longer than `toolTimeoutMs`. */
  readonly signal: AbortSignal
  /** The step that asked; the first is 1. */
  readonly step: number
  /** `metadata` of the run's options. */
  readonly metadata?: { readonly [key: string]: Json }
}
/** A function the model may ask for. */
export interface Tool<Input = unknown> {
  readonly name: string
  readonly description?: string
  readonly inputSchema: Schema<Input>
  /** Ask the provider to hold the model to the schema. */
  readonly strict?: boolean
  readonly cacheControl?: CacheControl
  /**
   * What `gateway.runTools()` calls, with the input as the schema gives it. A text or a list of text, image and file parts goes to the
   * model as it is, anything else as JSON; what it throws goes there as an error. `chat` and `stream` never call it, and it is never sent.
   */
  execute?(input: Input, context: ToolContext): unknown
}
/** A tool of the provider's own (web search, code execution): `block` is sent to that dialect as it stands. */
export interface ProviderTool {
  readonly providerData: ProviderData
}
export type ToolChoice = 'auto' | 'required' | 'none' | { readonly name: string }
export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'
export interface Reasoning {
  readonly effort?: Effort
  /** Upper bound of reasoning tokens, where the provider takes one. */
  readonly budgetTokens?: number
}

/** Everything about an answer that the caller can ask for and every dialect is given. */
interface Sampling {
  readonly toolChoice?: ToolChoice
  readonly parallelToolCalls?: boolean
  readonly maxOutputTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly stop?: string | readonly string[]
  readonly seed?: number
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
  readonly reasoning?: Reasoning
  /** Log probabilities of the tokens; a number asks for that many alternatives too. */
  readonly logprobs?: boolean | number
  /** Extra body fields by dialect or provider, sent as they are. */
  readonly providerOptions?: { readonly [dialectOrProvider: string]: JsonObject }
}

/** What the caller writes. `messages` as a string is one user message. */
export interface ChatRequest<Model extends string = string, Output = unknown> extends Sampling {
  readonly model: Model
  readonly system?: string
  readonly messages: string | readonly Message[]
  readonly tools?: readonly (Tool | ProviderTool)[]
  /** The shape of the answer; see {@link Schema}. */
  readonly output?: Schema<Output>
}

/** A tool with its schema resolved. */
export interface ResolvedTool {
  readonly name: string
  readonly description?: string
  readonly inputSchema: JsonObject
  readonly strict?: boolean
  readonly cacheControl?: CacheControl
}
/** What an upstream is given: validated, schemas resolved, `system` as the first message, hooks applied. */
export interface UpstreamRequest extends Sampling {
  readonly messages: readonly Message[]
  readonly tools?: readonly (ResolvedTool | ProviderTool)[]
  readonly output?: { readonly name: string; readonly jsonSchema: JsonObject }
  /** Continue the last message, an assistant's, instead of answering it. */
  readonly prefill?: boolean
  /** What would be left out on the way is an error in place of a warning. */
  readonly strict?: boolean
  /** Embeddings are wanted, one for each message, and no answer: `maxOutputTokens` is 0. */
  readonly embed?: EmbedWish & { /** Deployments of different models may stand in for each other. */ readonly anyModel?: boolean }
}
