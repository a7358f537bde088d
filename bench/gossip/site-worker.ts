/** As `consilium start` does: the collector is fitted before anything large is loaded. */
import { fitCollector } from '../../src/node/tune-gc.ts'

fitCollector()
await import('./site-calls.ts')
