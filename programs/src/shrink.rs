//! Making a program small: states and fields are taken out for as long as what was wrong stays wrong.
