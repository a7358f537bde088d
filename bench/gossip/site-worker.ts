/** As `consilium start` does: the collector is fitted before anything large is loaded. */
import { tuneGc } from '../../src/node/tune-gc.ts'

tuneGc()
await import('./site-calls.ts')
