/** What the cache makes its keys of: a door of its own, so that it is loaded with the first call that is cached. */
export { sha256 } from '../protocol/sha256.js'
