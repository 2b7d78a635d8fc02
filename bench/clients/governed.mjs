import { create as plain } from './sallyport.mjs'

/** The same with a hold for each call: money, requests and calls at once, settled by what was used. High enough to refuse nobody. */
export function create(at) {
  return plain(at, {
    budgets: [{ of: { team: '*' }, usd: 1_000_000, window: 'month', zone: 'Europe/Berlin', alertAt: [0.8] }],
    limits: [{ of: { user: '*' }, requestsPerMinute: 10_000_000, concurrency: 100_000 }],
  })
}
