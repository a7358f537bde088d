import type { DaemonInit } from './daemon-init.ts'
import { trainerSetup, type Site } from './site.ts'
import { TrainerProcess } from './trainer-process.ts'

/** The trainer of a site, not started yet; the site's record and notices say how it fares. */
export function createTrainer (
  site: Site,
  { trainerEntry: entry, trainerBackOff: backOff }: Pick<DaemonInit, 'trainerEntry' | 'trainerBackOff'>
): TrainerProcess {
  const { config, logger, notices, record } = site
  const trainer = new TrainerProcess({
    setup: trainerSetup(site),
    nice: config.nice,
    ...(entry == null ? {} : { entry }),
    ...(backOff == null ? {} : { backOff })
  })
  trainer.on('progress', ({ step, steps }) => {
    record.progress = { step, steps }
  })
  trainer.on('ready', () => {
    record.trainer = 'ready'
  })
  // That it is loaded again says nothing of a phase in which it dies each time.
  trainer.on('recovered', () => { notices.over('trainer', 'the trainer process works again') })
  trainer.on('givenUp', ({ message }) => { notices.warn('trainer', message, { isNews: true }) })
  trainer.on('restarting', ({ reason, delayMs }) => {
    record.trainer = 'restarting'
    const deaths = ++record.trainerRestarts
    notices.warn(
      'trainer',
      `the trainer process ended (${reason}), ${deaths === 1 ? 'once' : `${deaths} times`} so far: it starts again in ${
        delayMs / 1_000
      } s and repeats the phase`,
      { isNews: true }
    )
  })
  logger.info('loading the base weights and the images')
  return trainer
}
