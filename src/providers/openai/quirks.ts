import type { FinishReason } from '../../protocol/events.js'
import type { JsonObject } from '../../protocol/json.js'
import type { Effort, UpstreamRequest } from '../../protocol/request.js'

/** How a server takes the wish for reasoning. */
export type ReasoningStyle =
  /** It has no such switch. */
  | 'none'
  /** `reasoning_effort: word`. */
  | 'effort'
  /** `reasoning: { effort | max_tokens }`. */
  | 'object'
  /** `reasoning: { enabled }`. */
  | 'enabled'
  /** `thinking: { type }`, and `reasoning_effort` where `efforts` names words. */
  | 'thinking'
  /** `enable_thinking` and `thinking_budget`. */
  | 'enable_thinking'
  /** `chat_template_kwargs: { enable_thinking }`. */
  | 'template'
  /** `prompt_mode: "reasoning"`; it cannot be turned off. */
  | 'prompt_mode'
  /** `chat_template_args: { enable_thinking }`. */
  | 'template_args'
  /** `thinking: true` or `false`. */
  | 'toggle'
  /** `reasoning_effort`; off by `reasoning: { enabled }` and `venice_parameters`. */
  | 'venice'

/** What makes one server of the dialect differ from the next. Every field has a default that suits most of them. */
export interface Quirks {
  /** Name of the output limit. Default `max_tokens`. */
  readonly maxTokens?: 'max_tokens' | 'max_completion_tokens'
  /** Understands the role `developer`; otherwise it is sent as `system`. Default false. */
  readonly developer?: boolean
  /** Understands `stream_options.include_usage`. Default true. */
  readonly streamUsage?: boolean
  /** Default `effort`. */
  readonly reasoning?: ReasoningStyle
  /** The effort words it takes; others become the nearest, with a warning. Default: all. */
  readonly efforts?: readonly Effort[]
  /** What stands for the effort `none`, in `reasoning_effort`. Default `none`. */
  readonly off?: string | null
  /** The effort `none` may leave some models reasoning: it goes out with a warning. Default false. */
  readonly unsureOff?: boolean
  /** Least and most tokens of a reasoning budget; others become the nearest, with a warning. */
  readonly budget?: readonly [least: number, most: number]
  /** Body fields that go along with the wish for reasoning. */
  readonly besideReasoning?: JsonObject
  /** It reasons in streams only, so an answer that should reason is asked for as a stream. Default false. */
  readonly streamedReasoning?: boolean
  /** Where an answer's reasoning text is looked for; the first that is not empty is taken. */
  readonly reasoningFields?: readonly string[]
  /** Sends the model's own reasoning back. Default `never`. */
  readonly replay?: 'never' | 'tool-turns' | 'always'
  /** The field it goes back in; `thinking` is a part of the content. Default `reasoning_content`. */
  readonly replayField?: 'reasoning_content' | 'reasoning' | 'reasoning_details' | 'thinking'
  /** False: it has no tools at all. Default true. */
  readonly tools?: boolean
  /** Word for a call that must be made; `null` where it has none. Default `required`. */
  readonly required?: string | null
  /** False: a tool cannot be named in `tool_choice`. Default true. */
  readonly namedTool?: boolean
  /** Understands `strict`. Default true. */
  readonly strict?: boolean
  /** How it takes the shape of an answer. Default `json_schema`. */
  readonly output?: 'json_schema' | 'json_object'
  /** Content must be text, not parts. Default false. */
  readonly stringContent?: boolean
  /** False: it refuses the `name` of a user message. Default true. */
  readonly names?: boolean
  /** Refuses a user message right behind tool results: a word of the assistant is put between. Default false. */
  readonly bridge?: boolean
  /** User and assistant must take turns: neighbours of one role are joined. Default false. */
  readonly alternate?: boolean
  /** Takes `refusal` on assistant messages; otherwise a refusal is plain text. Default false. */
  readonly refusal?: boolean
  /** Takes `https:` addresses of files. Default false. */
  readonly fileUrls?: boolean
  /** Files go as `document_url` and audio as bare text. Default false. */
  readonly documents?: boolean
  /** What it accepts as a tool-call id. Default `any`. */
  readonly toolId?: 'openai' | 'mistral' | 'any'
  /** Takes `cache_control` on parts and tools. Default false. */
  readonly cacheControl?: boolean
  /** How it takes an assistant message to go on from: with a mark, or as it stands. Default: not at all. */
  readonly prefill?: 'prefix' | 'partial' | 'plain'
  /** Its answer repeats the assistant message it goes on from. Default false. */
  readonly echo?: boolean
  /** Takes `top_k`. Default false. */
  readonly topK?: boolean
  /** Name of the seed. Default `seed`. */
  readonly seed?: string
  /** Request fields it refuses; they are left out with a warning. */
  readonly unsupported?: readonly (keyof UpstreamRequest)[]
  /** A table of model families whose parameters differ. */
  readonly families?: 'openai' | 'xai' | 'groq'
  /** Finish words beyond those that everybody knows. */
  readonly finish?: { readonly [word: string]: FinishReason }
  /** `total`: output is `total_tokens` less the prompt, because hidden reasoning is only in the total. */
  readonly usage?: 'total'
  /** `usage.cost` is in US dollars. Default false. */
  readonly cost?: boolean
  /** It is a router: an answer says who served it. Default false. */
  readonly router?: boolean
  /** A 400 or 413 without a body means that the prompt was too long. Default false. */
  readonly bareOverflow?: boolean
  /** Header that takes the key as it stands, in place of `authorization: Bearer`. */
  readonly authHeader?: string
  /** Body fields sent with every request. */
  readonly extra?: JsonObject
}

const KEYS = [
  'maxTokens', 'developer', 'streamUsage', 'reasoning', 'efforts', 'off', 'unsureOff', 'budget', 'besideReasoning', 'streamedReasoning', 'reasoningFields', 'replay', 'replayField', 'tools', 'required', 'namedTool',
  'strict', 'output', 'stringContent', 'names', 'bridge', 'alternate', 'refusal', 'fileUrls', 'documents', 'toolId', 'cacheControl', 'prefill', 'echo', 'topK', 'seed', 'unsupported',
  'families', 'finish', 'usage', 'cost', 'router', 'bareOverflow', 'authHeader', 'extra',
] as const satisfies readonly (keyof Quirks)[]
type Named<All extends (typeof KEYS)[number]> = All
/** Names of all switches, for validation. */
export const QUIRK_KEYS: ReadonlySet<string> = new Set<Named<keyof Quirks>>(KEYS)
