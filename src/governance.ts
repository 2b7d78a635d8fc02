import { Credentials, type Env } from './credentials.js'
import { checkDowngrades, policiesOf, type GatewayOptions, type Resolved } from './options.js'
import type { BudgetOptions, LimitOptions } from './protocol/policy.js'
import type { CredentialSource } from './protocol/ports.js'
import type { KeyChange } from './state/keys.js'
import type { Policy } from './state/policies.js'

/** A change of what calls may do, for the audit log. */
export interface GovernanceChange {
  readonly change: 'budgets_set' | 'limits_set' | 'credential_set' | KeyChange['change']
  /** The key, or the provider whose credential it is. */
  readonly id?: string
  /** Names of the policies from here on. */
  readonly fields?: readonly string[]
}

/** What calls may do and with which keys, as it is now. */
export class Governance {
  readonly credentials: Credentials
  readonly #routes: Resolved['routes']
  readonly #common: Resolved['settings']['downgrade']
  #policies: readonly Policy[]
  #budgets: readonly BudgetOptions[]
  #limits: readonly LimitOptions[]
  /** Is told of each change. */
  onChange: ((change: GovernanceChange) => void) | undefined

  /** Throws `invalid_config`. */
  constructor({ credentials, budgets = [], limits = [] }: GatewayOptions, { routes, policies, settings }: Resolved, env: Env) {
    this.credentials = new Credentials(credentials, env)
    this.#routes = routes
    this.#common = settings.downgrade
    this.#policies = policies
    this.#budgets = budgets
    this.#limits = limits
  }

  get policies(): readonly Policy[] {
    return this.#policies
  }

  setBudgets(budgets: readonly BudgetOptions[]): void {
    this.#set({ budgets, limits: this.#limits })
    this.#budgets = budgets
    this.#tell('budgets_set')
  }

  setLimits(limits: readonly LimitOptions[]): void {
    this.#set({ budgets: this.#budgets, limits })
    this.#limits = limits
    this.#tell('limits_set')
  }

  setCredential(provider: string, source: CredentialSource): void {
    this.credentials.set(provider, source)
    this.onChange?.({ change: 'credential_set', id: provider })
  }

  #set(given: { readonly budgets: readonly BudgetOptions[]; readonly limits: readonly LimitOptions[] }): void {
    const policies = policiesOf(given)
    checkDowngrades(this.#routes, policies, this.#common)
    this.#policies = policies
  }

  #tell(change: 'budgets_set' | 'limits_set'): void {
    const kind = change === 'budgets_set' ? 'budget' : 'limit'
    this.onChange?.({ change, fields: this.#policies.filter(policy => policy.kind === kind).map(({ name }) => name) })
  }
}
