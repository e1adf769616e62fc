import { refuseCodeGeneration } from './refuse-code-generation.js'

refuseCodeGeneration()
