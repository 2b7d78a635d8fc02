import type { Deployment, Price } from './protocol/ports.js'
import type { PriceOverrides } from './providers/prices/overrides.js'
import type { PriceTable } from './providers/prices/lookup.js'

/** What deployments cost: their own price, else that of the gateway's option `prices`, else the table, which is loaded with the first deployment that needs it. */
export class Prices {
  readonly #overrides: PriceOverrides | undefined
  #table: PriceTable | undefined
  #loading: Promise<void> | undefined

  constructor(overrides: PriceOverrides | undefined) {
    this.#overrides = overrides
  }

  of(deployment: Deployment): Price | undefined {
    return this.#ownOf(deployment) ?? (isListed(deployment) ? this.#table?.priceOf(deployment.provider, deployment.model)?.price : undefined)
  }

  /** Loads the table where one of these deployments needs it; nothing to wait for where it is there. */
  for(deployments: readonly Deployment[]): Promise<void> | undefined {
    if (this.#table !== undefined || !deployments.some(deployment => this.#needsTable(deployment))) return undefined
    this.#loading ??= import('./providers/prices/index.js').then(
      ({ PriceTable }) => {
        this.#table = new PriceTable()
      },
      () => {
        // A price that cannot be read is unknown, and no reason to refuse the call.
        this.#loading = undefined
      },
    )
    return this.#loading
  }

  #ownOf(deployment: Deployment): Price | undefined {
    return deployment.price ?? this.#overrides?.priceOf(deployment.provider, deployment.model)
  }

  #needsTable(deployment: Deployment): boolean {
    return isListed(deployment) && this.#ownOf(deployment) === undefined
  }
}

/** The table holds for a provider's own host, to which alone its key from the environment may go; what it costs elsewhere is anybody's guess. */
function isListed({ reach }: Deployment): boolean {
  return 'adapter' in reach && reach.env !== undefined
}
