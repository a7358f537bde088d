/** Child process: writes one pool after another until it is killed. */
import { PoolFile } from '../../../src/site-model/trainer/pool-file.ts'
import { poolOf } from './pools.ts'

const file = new PoolFile(process.argv[2]!, { schemaHash: 'a', onProblem: () => {}, isOutdated: () => Promise.resolve(false) })
process.on('disconnect', () => { process.exit(1) })
for (let round = 1; ; round++) {
  await file.save(poolOf(round))
  if (round === 2) process.send!('written')
}
