/** `docteur/guest`: the guest kit, as the build has put it together. */
export * from "../dist/kit/guest/kit/index";
