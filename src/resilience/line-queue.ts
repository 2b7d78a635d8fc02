/** The engine of a waiting line, loaded with the first call that waits. */
export { default } from 'p-queue'
