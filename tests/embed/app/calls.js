/** A worker that answers calls of docteur's functions. */
import { answer } from "docteur/worker";
import { functions } from "./work.js";

answer(functions);
