"""nginx: sheds load, by a file that it includes, over SSH."""
