import { GatewayError } from '../protocol/errors.js'
import type { Deployment, RouteTarget } from '../protocol/ports.js'
import { nearest, quoted } from '../protocol/suggest.js'
import { deploymentsOf } from './tree.js'

/** Makes a deployment from a model name: what `providers` and wildcard routes hold. */
export type DeploymentFactory = (model: string) => Deployment

/** Deployments made for model names that callers send; bounded, because those come from outside. */
const MAX_MADE = 1_000

/** What a model name leads to. */
export interface Route<Settings> {
  readonly name: string
  readonly target: RouteTarget
  readonly settings: Settings
}

/** One configured route. */
export interface RouteEntry<Settings> {
  readonly target: RouteTarget | DeploymentFactory | { readonly alias: string }
  readonly settings: Settings
}

/** Finds the route of a model name: exact, alias, wildcard (the longest wins), then `provider/model`. */
export class Router<Settings> {
  readonly #exact = new Map<string, Route<Settings>>()
  readonly #wild: { readonly prefix: string; readonly suffix: string; readonly entry: RouteEntry<Settings>; readonly name: string }[] = []
  readonly #providers: ReadonlyMap<string, DeploymentFactory>
  readonly #made = new Map<string, Route<Settings>>()
  readonly #defaults: Settings

  constructor(routes: ReadonlyMap<string, RouteEntry<Settings>>, providers: ReadonlyMap<string, DeploymentFactory>, defaults: Settings) {
    this.#providers = providers
    this.#defaults = defaults
    for (const [name, entry] of routes) {
      const star = name.indexOf('*')
      if (star >= 0) this.#wild.push({ prefix: name.slice(0, star), suffix: name.slice(star + 1), entry, name })
      else {
        this.#exact.set(name, follow(name, routes))
      }
    }
    this.#wild.sort((a, b) => b.prefix.length + b.suffix.length - a.prefix.length - a.suffix.length)
  }

  /** Names that can be asked for, wildcards as written. */
  names(): readonly string[] {
    return [...new Set([...this.#exact.keys(), ...this.#wild.map(route => route.name), ...[...this.#providers.keys()].map(name => `${name}/*`)])]
  }

  resolve(model: string): Route<Settings> {
    const found = this.#exact.get(model) ?? this.#again(model) ?? this.#make(model)
    if (found !== undefined) return found
    const near = nearest(model, this.#exact.keys())
    throw new GatewayError(
      'model_not_found',
      `No route serves the model ${quoted(model)}. ${near === undefined ? `Known: ${this.names().slice(0, 20).join(', ')}.` : `Did you mean "${near}"?`}`,
      { origin: 'caller' },
    )
  }

  /** What is asked for again stays: with its deployment would go the keys that rest and the slots that are taken. */
  #again(model: string): Route<Settings> | undefined {
    const route = this.#made.get(model)
    if (route === undefined) return undefined
    this.#made.delete(model)
    this.#made.set(model, route)
    return route
  }

  #make(model: string): Route<Settings> | undefined {
    const wild = this.#wild.find(({ prefix, suffix }) => model.length > prefix.length + suffix.length && model.startsWith(prefix) && model.endsWith(suffix))
    if (wild !== undefined) {
      const { target, settings } = wild.entry
      if (typeof target !== 'function') return 'alias' in target ? undefined : this.#keep(model, { name: wild.name, target, settings })
      const rest = model.slice(wild.prefix.length, model.length - wild.suffix.length)
      return this.#keep(model, { name: wild.name, target: made(target, rest, wild.name), settings })
    }
    const slash = model.indexOf('/')
    const factory = slash > 0 ? this.#providers.get(model.slice(0, slash)) : undefined
    if (factory === undefined || slash === model.length - 1) return undefined
    return this.#keep(model, { name: `${model.slice(0, slash)}/*`, target: made(factory, model.slice(slash + 1), `${model.slice(0, slash)}/*`), settings: this.#defaults })
  }

  #keep(model: string, route: Route<Settings>): Route<Settings> {
    if (this.#made.size >= MAX_MADE) {
      const oldest = this.#made.keys().next().value
      if (oldest !== undefined) this.#made.delete(oldest)
    }
    this.#made.set(model, route)
    return route
  }
}

function made(factory: DeploymentFactory, model: string, name: string): RouteTarget {
  const target = factory(model)
  deploymentsOf(target, `What the factory of ${quoted(name)} returned`)
  return target
}

/** Follows aliases to the route they lead to, under whose name calls are counted; throws where they lead in a circle, nowhere, or to a wildcard. */
function follow<Settings>(name: string, routes: ReadonlyMap<string, RouteEntry<Settings>>): Route<Settings> {
  const seen = new Set<string>()
  let at = name
  for (;;) {
    const entry = routes.get(at)
    if (entry === undefined) {
      const near = nearest(at, routes.keys())
      throw new GatewayError('invalid_config', `The route "${name}" is an alias of ${quoted(at)}, which is no route.${near === undefined ? '' : ` Did you mean "${near}"?`}`)
    }
    const { target, settings } = entry
    if (typeof target === 'function') {
      throw new GatewayError('invalid_config', `The route "${name}" is an alias of the wildcard route ${quoted(at)}, which needs a model. Call its factory with one.`)
    }
    if (!('alias' in target)) return { name: at, target, settings }
    if (seen.has(at)) throw new GatewayError('invalid_config', `The route "${name}" is cyclic: ${[...seen, at].join(' -> ')}. Let one of them name a deployment.`)
    seen.add(at)
    at = target.alias
  }
}
