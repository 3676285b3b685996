/** The options of `solo5-wasm` as scripts of shells complete them. */
import { SOLO5_HELP } from "../solo5/help.js";
import { describeTender, type TenderOption } from "./model.js";

/** In the order of the help. The build computes it, as it does the subcommands. */
export async function completedTender(): Promise<TenderOption[]> {
  return describeTender(SOLO5_HELP);
}
