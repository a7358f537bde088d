/** Registers tfjs-core's gradients, which its Node build leaves out; bundled by scripts/build.js so that core stays one instance. */
import '#tfjs-gradients'
