import { TRENDING, showCarousels } from "../carousel.js";
import { showTiles } from "../departments.js";
import { startFrame } from "../frame.js";

showCarousels([TRENDING]);
startFrame(showTiles);
