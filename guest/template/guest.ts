/** Prints a file of the image on the device `docteur`: the one that the command line names. */
import {
  argLen,
  args,
  blockAcquire,
  blockCapacity,
  blockHandle,
  blockSize,
  chunkLen,
  chunkPtr,
  cmdlineSplit,
  consoleWrite,
  flush,
  print,
  printStatus,
  volumeMount,
  volumeNext,
  volumeOpen,
} from "docteur/guest";

const device: usize = memory.data<u8>([0x64, 0x6f, 0x63, 0x74, 0x65, 0x75, 0x72]);

function printFile(): i32 {
  let status = blockAcquire(device, 7);
  if (!status) status = volumeMount(blockHandle, blockCapacity, blockSize);
  if (!status) status = volumeOpen(args, argLen(args), 0);
  while (!status) {
    status = volumeNext();
    if (status || !chunkLen) break;
    consoleWrite(chunkPtr, chunkLen);
  }
  return status;
}

export function solo5_app_main(): i32 {
  if (!cmdlineSplit()) return 1;
  const status = printFile();
  if (status) {
    print("cannot read the file: ");
    printStatus(status);
    print("\n");
  }
  flush();
  return status;
}
