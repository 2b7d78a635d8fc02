import type { BatchInput, BatchItem, BatchOptions } from './batch-options.js'
import type { Gateway, ModelName } from './gateway.js'
import type { RouteConfig } from './options.js'
import type { CallOptions } from './pipeline/call.js'
import type { ChatStream } from './pipeline/stream.js'
import type { EmbedRequest, EmbedResult } from './protocol/embed.js'
import type { ChatRequest } from './protocol/request.js'
import type { ChatResult } from './protocol/result.js'
import type { DeploymentFactory } from './routing/router.js'
import type { ToolRun, ToolRunOptions } from './tools/options.js'
import type { ToolStream } from './tools/stream.js'

/** What calls through {@link Bound} carry. */
export type Binding = Pick<CallOptions, 'key' | 'principal' | 'conversation'>

/**
 * A gateway for calls that stand for somebody, or belong to a conversation. Made by `gateway.as()`; it holds nothing, so make as many
 * as you like.
 *
 * @example
 * const ann = gateway.as({ principal: { team: 'search', user: 'ann' } })
 * const answer = await ann.chat({ model: 'smart', messages: 'Hello' })
 */
export class Bound<Routes extends Readonly<Record<string, RouteConfig>>, Providers extends Readonly<Record<string, DeploymentFactory>>> {
  readonly #gateway: Gateway<Routes, Providers>
  readonly #binding: Binding

  constructor(gateway: Gateway<Routes, Providers>, binding: Binding) {
    this.#gateway = gateway
    this.#binding = binding
  }

  chat<Output = unknown>(request: ChatRequest<ModelName<Routes, Providers>, Output>, options: CallOptions = {}): Promise<ChatResult<Output>> {
    return this.#gateway.chat<Output>(request, { ...this.#binding, ...options })
  }

  stream<Output = unknown>(request: ChatRequest<ModelName<Routes, Providers>, Output>, options: CallOptions = {}): Promise<ChatStream<Output>> {
    return this.#gateway.stream<Output>(request, { ...this.#binding, ...options })
  }

  embed(request: EmbedRequest<ModelName<Routes, Providers>>, options: CallOptions = {}): Promise<EmbedResult> {
    return this.#gateway.embed(request, { ...this.#binding, ...options })
  }

  batch<Output = unknown>(requests: BatchInput<ChatRequest<ModelName<Routes, Providers>, Output>>, options: BatchOptions<ChatRequest<ModelName<Routes, Providers>, Output>> = {}): AsyncGenerator<BatchItem<ChatRequest<ModelName<Routes, Providers>, Output>, Output>, void, undefined> {
    return this.#gateway.batch<Output>(requests, { ...this.#binding, ...options })
  }

  runTools<Output = unknown>(request: ChatRequest<ModelName<Routes, Providers>, Output>, options: ToolRunOptions<Output> = {}): Promise<ToolRun<Output>> {
    return this.#gateway.runTools<Output>(request, { ...this.#binding, ...options })
  }

  streamTools<Output = unknown>(request: ChatRequest<ModelName<Routes, Providers>, Output>, options: ToolRunOptions<Output> = {}): Promise<ToolStream<Output>> {
    return this.#gateway.streamTools<Output>(request, { ...this.#binding, ...options })
  }

  /** Binds more. */
  as(binding: Binding): Bound<Routes, Providers> {
    return new Bound(this.#gateway, { ...this.#binding, ...binding })
  }
}
