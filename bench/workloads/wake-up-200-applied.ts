import { wakeUpWith } from '../wake-up.ts'

export default wakeUpWith(200, 11)
