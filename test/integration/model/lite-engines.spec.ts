import { describeParity } from '../../unit/model/sam/lite-parity.ts'

// Plain JavaScript takes a minute for one picture of 64 pixels: its gradients begin at block 8.
describeParity('wasm', { pictures: ['synth'], modes: ['personal'], from: 0 })
describeParity('cpu', { pictures: ['synth'], modes: ['personal'], from: 8 })
