/** Verifies an image that is large enough for threads: prints the outcome. The argument is its path. */
import { verify } from "docteur/verify";

verify(process.argv[2], { jobs: 4 }).then(({ status, findings }) =>
  console.log(JSON.stringify({ status, findings })),
);
