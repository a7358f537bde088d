import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { federationId, type FederationBody } from '../../../../src/federation/document.ts'
import { withOverrides, withSettingsFile } from '../../../../src/federation/settings.ts'
import { samConfig } from '../../../../src/model/sam/build-sam.ts'
import { defaultAveraging } from '../../../../src/settings/averaging.ts'
import { defaultModelSettings } from '../../../../src/settings/model.ts'
import { checkModel, trainingSection } from '../../../../src/site-model/fit-settings.ts'

const draft: FederationBody = {
  version: 1,
  name: 'test',
  created: '2026-01-01T00:00:00.000Z',
  founders: ['12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo'],
  quorum: 1,
  model: { name: 'sam-tiny', baseHash: '0'.repeat(64), imageSize: 128, ...defaultModelSettings(samConfig('sam-tiny')) },
  training: trainingSection({ name: 'sam-tiny' }, { rounds: 5, seed: 1 }),
  averaging: defaultAveraging({ coolDownSeconds: 5 })
}

describe('settings that a founder changes', () => {
  let folder = ''
  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  async function given (settings: unknown): Promise<FederationBody> {
    const path = join(folder, 'settings.json')
    await writeFile(path, JSON.stringify(settings))
    return await withSettingsFile(draft, path)
  }

  it('win over the defaults one by one, and each gives another federation', async () => {
    const ids = new Set([federationId(draft)])
    for (const settings of [
      { model: { lora: { aggregation: 'ffa' } } },
      { model: { lora: { aggregation: 'product-svd' } } },
      { model: { lora: { blocks: [3] } } },
      { model: { decoder: 'full' } },
      { model: { moe: { noise: 0.25 } } },
      { model: { moe: { gate: 'image' } } },
      { model: { moe: { expert: 'lora' } } },
      { model: { pixels: 'unit' } },
      { model: { channels: [0] } },
      { model: { channels: [0, 1], window: ['auto', { centre: 40, width: 400 }] } },
      { training: { order: 'GL-local' } },
      { training: { distil: 'features' } },
      { training: { schedule: 'constant' } },
      { training: { teacherG: 'global', teacherL: 'none' } },
      { training: { prompt: 'box', augment: false } }
    ]) ids.add(federationId(await given(settings)))
    expect(ids.size).to.equal(16)
    const changed = await given({ model: { lora: { rank: 8 } }, training: { order: 'GL-local' } })
    expect(changed.model.lora).to.deep.equal({ ...draft.model.lora, rank: 8 })
    expect(changed.training).to.deep.equal({ ...draft.training, order: 'GL-local' })
    expect(changed.averaging).to.deep.equal(draft.averaging)
  })

  it('say the length of a round in steps or in epochs, and either takes the other out', async () => {
    const lengthOf = ({ training: { stepsPerRound, epochsG, epochsL } }: FederationBody): unknown[] => [stepsPerRound, epochsG, epochsL]
    expect(lengthOf(draft)).to.deep.equal([16, undefined, undefined])
    const epochs = await given({ training: { epochsG: 3 } })
    expect(lengthOf(epochs)).to.deep.equal([undefined, 3, 1])
    expect(lengthOf(withOverrides(epochs, { training: { stepsPerRound: 7 } }, 'a file'))).to.deep.equal([7, undefined, undefined])
    const both = await given({ training: { stepsPerRound: 7, epochsL: 1 } }).then(() => 'taken', (error: Error) => error.message)
    expect(both).to.include('say stepsPerRound, or epochsG and epochsL, not both')
  })

  it('refuse views that training cannot show', async () => {
    const refusal = async (training: object): Promise<string> =>
      await given({ training }).then(() => 'taken', (error: Error) => error.message)
    expect(await refusal({ views: { kind: 'gin', share: 1, consistency: 10, blend: true } })).to.equal('taken')
    expect(await refusal({ augment: false, views: { kind: 'gin', share: 1 } })).to.include('training.augment is false; set it to true')
    expect(await refusal({ views: { kind: 'strong', share: 1, consistency: 10 } })).to.include('compares views of "gin" or "spatial"')
    expect(await refusal({ views: { kind: 'frequency', share: 1, blend: true } })).to.include('mixes views of "gin" or "spatial"')
    const swap = { patches: 2, probability: 0.3, donors: 4 }
    expect(await refusal({ swap })).to.equal('taken')
    expect(await refusal({ augment: false, swap })).to.include('training.swap: images are shown unaltered')
    expect(await refusal({ views: { kind: 'gin', share: 2 } })).to.include('training.views.share')
  })

  it('are refused by name when they are wrong or not a founder\'s to set', async () => {
    const refused = async (settings: unknown): Promise<string> => await given(settings).then(() => 'taken', (error: Error) => error.message)
    expect(await refused({ training: { order: 'LG' } })).to.include('training.order')
    expect(await refused({ model: { lora: { aggregatoin: 'ffa' } } })).to.include('aggregatoin')
    expect(await refused({ model: { pixels: 'medsam' } })).to.include('model.pixels')
    expect(await refused({ name: 'another' })).to.include('name')
    expect(await refused({ model: { imageSize: 1_000_000 } })).to.include('model.imageSize').and.include('4096')
    expect(await refused({ training: { rounds: 9_999_999_999_999 } })).to.include('training.rounds').and.include('100000')
    expect(await refused({ training: { seed: 2 ** 32 } })).to.include('training.seed').and.include('4294967295')
    expect(await refused({ averaging: { coolDown: { seconds: 1e9 } } })).to.include('averaging.coolDown.seconds').and.include('604800')
    expect(await refused([])).to.include('settings')
    expect(await refused({ model: { lora: null } })).to.include('model.lora')
  })

  it('say one to three channels, and as many windows where they list them', async () => {
    const refused = async (model: object): Promise<string> =>
      await given({ model }).then(() => 'taken', (error: Error) => error.message)
    for (const channels of [[], [0, 1, 2, 3], [-1], [0.5], [10_000], 'T2', ['T2'], 0]) {
      expect(await refused({ channels }), JSON.stringify(channels)).to.match(
        /settings.json does not fit a federation: model.channels(.0)?: must be a list of one to three channels, whole numbers from 0 to/
      )
    }
    expect(await refused({ channels: [0, 1], window: ['auto'] })).to.include(
      'model.window: it lists 1, one for each of model.channels, which has 2'
    )
    expect(await refused({ window: ['auto'] })).to.include('model.window: it lists 1, one for each of model.channels, which is not there')
    expect(await refused({ channels: [0], window: ['bone'] })).to.include('model.window').and.include('or a list of them')
    expect(await refused({ channels: [0, 1], window: { centre: 40, width: 400 } })).to.equal('taken')
  })

  it('must fit the architecture', async () => {
    const fits = async (model: object, method?: object): Promise<string> => {
      const body = await given({ model, ...(method == null ? {} : { method }) })
      try {
        checkModel(body.model, body.method)
        return 'fits'
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(await fits({})).to.equal('fits')
    expect(await fits({ moe: { blocks: [9] } })).to.include('moe.blocks')
    expect(await fits({ lora: { blocks: [9] } })).to.include('lora.blocks')
    expect(await fits({ moe: { topK: 9 } })).to.include('moe.topK')
    // What could never start is not founded.
    const nothing = 'nothing that sites would average'
    expect(await fits({ decoder: 'frozen', lora: { blocks: [] } })).to.include(nothing)
    expect(await fits({ decoder: 'frozen' }, { keeps: ['encoder'] })).to.include(nothing)
    expect(await fits({ lora: { blocks: [] } }, { keeps: ['encoder'] })).to.include('method.keeps names the encoder')
    expect(await fits({}, { keeps: ['encoder'] })).to.equal('fits')
  })
})
