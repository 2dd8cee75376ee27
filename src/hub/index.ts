export { type DownloadOptions, downloadModel, downloadTokenizer } from "./hub.ts";
export { isHubName } from "./hub-name.ts";
