/** The work in runtimes that have a command line: prints the outcome. The argument is the image's URL. */
import { outcome } from "./work.js";

outcome(process.argv[2]).then((found) => console.log(JSON.stringify(found)));
