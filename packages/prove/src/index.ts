export {
  openEmbedded,
  SettingWasSet,
  type CaseDatabase,
  type Embedded,
  type Outcome,
  type Row,
  type Settings,
} from './embedded.js';
