import type { Code } from '../protocol/errors.js'
import type { Deployment, DeploymentStats, Gate, Note, Price, Upstream } from '../protocol/ports.js'
import type { KeyPool } from './keypool.js'

/** A deployment with the parts the gateway gave it: how it is opened, its keys, its gates. */
export interface Live {
  readonly deployment: Deployment
  readonly upstream: Upstream
  readonly keys: KeyPool | undefined
  readonly gates: readonly Gate[]
  /** What was measured of it. */
  stats(): DeploymentStats
  /** The deployment's own, or what the table says. */
  readonly price: Price | undefined
}

/** A live deployment in line. */
export interface LiveCandidate {
  readonly live: Live
  readonly onlyAfter?: readonly Code[]
  readonly note?: Note
}
